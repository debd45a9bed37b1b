"""A Python to which it is a year later: what a program makes out of the time would be something else."""

import datetime
import time

AHEAD = 366 * 24 * 3600

now = time.time
gmtime, localtime, strftime = time.gmtime, time.localtime, time.strftime

time.time = lambda: now() + AHEAD
time.time_ns = lambda: int(time.time() * 10**9)
time.gmtime = lambda seconds=None: gmtime(time.time() if seconds is None else seconds)
time.localtime = lambda seconds=None: localtime(time.time() if seconds is None else seconds)
time.strftime = lambda form, at=None: strftime(form, localtime(time.time()) if at is None else at)


class Later(datetime.datetime):
    """The class by the same name."""

    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls):
        return cls.now(datetime.UTC).replace(tzinfo=None)


datetime.datetime = Later
