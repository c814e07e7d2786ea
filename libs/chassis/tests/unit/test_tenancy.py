from chassis import tenancy
from chassis.tenancy import NOBODY, Tenancy, as_user, everyone, only
from kernel import new_id


def test_a_scope_ends_with_its_block() -> None:
    business = new_id()
    with only(business):
        assert tenancy.admit([business]) is False
        assert tenancy.admit([new_id()]) is True
        with everyone():
            assert tenancy.admit([new_id()]) is False
        assert len(tenancy.current().businesses) == 2
    assert tenancy.current() == NOBODY


def test_settings_are_uuids_a_star_or_nothing() -> None:
    one, other = new_id(), new_id()
    assert (NOBODY.tenants_setting, NOBODY.user_setting) == ("", "")
    assert set(Tenancy(businesses=frozenset({one, other})).tenants_setting.split(",")) == {str(one), str(other)}
    with as_user(one):
        assert tenancy.current().user_setting == str(one)
        assert tenancy.current().tenants_setting == ""
    assert Tenancy(businesses=frozenset({one}), everyone=True).tenants_setting == "*"
