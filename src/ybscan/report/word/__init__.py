"""Word files (WordprocessingML, ECMA-376 Part 1): Markdown to blocks, blocks to parts, parts to a package. Pure."""
