"""`python -m lab.standins.kubernetes ENGINE`: the plugin's process."""

from ..plugin import EngineLog, main
from .provider import VERSION, KubernetesProvider

_log = EngineLog()
main(KubernetesProvider(_log), VERSION, _log)
