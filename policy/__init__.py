"""What an organisation demands of every site: a CrossGuard policy pack. Decisions are plain functions; `__main__` is the glue."""
