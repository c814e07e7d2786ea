from kernel import new_id


def test_ids_are_version_7_unique_and_ordered_by_time() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert len(set(ids)) == 10_000
    assert {identifier.version for identifier in ids} == {7}
    assert {identifier.variant for identifier in ids} == {"specified in RFC 4122"}
    stamps = [identifier.int >> 80 for identifier in ids]
    assert stamps == sorted(stamps)
