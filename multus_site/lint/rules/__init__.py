"""The rules, one module per topic; `multus_site.lint.engine` imports them."""
