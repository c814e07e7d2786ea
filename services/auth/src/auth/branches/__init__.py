"""The branches of a business."""
