"""From a fiscal document to its authority's answer, surviving the death of either end at any line."""
