"""The rules, one topic a file; `multus_site.lint.engine` registers them."""
