"""A site's network as a picture: what is drawn (cards), where (layout), and how (svg, mermaid, dot)."""
