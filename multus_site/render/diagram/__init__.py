"""The diagram of a site's network: its content (cards), layout, and output as SVG, PNG, Mermaid and dot."""
