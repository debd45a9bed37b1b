from components import run

run()
