"""`python -m lab.standins.command ENGINE`: the plugin's process."""

from ..plugin import EngineLog, main
from .provider import VERSION, CommandProvider

_log = EngineLog()
main(CommandProvider(_log), VERSION, _log)
