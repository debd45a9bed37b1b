from multus_site.components import run

run()
