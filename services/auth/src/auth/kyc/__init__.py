"""Who a user is: documents they submit, an administrator's review, and the KYC level that follows from it."""
