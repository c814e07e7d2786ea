from chassis.crypto import BlindIndex
from hypothesis import given, settings
from hypothesis import strategies as st
from kernel import new_id
from notifications.unsubscribe.links import UnsubscribeLinks

LINKS = UnsubscribeLinks("https://cobro.mx/", BlindIndex(b"k" * 32))


def test_a_link_leads_back_to_its_message_and_names_nobody() -> None:
    notification_id = new_id()
    link = LINKS.link(notification_id)

    assert link.startswith("https://cobro.mx/api/v1/unsubscribe/")
    assert LINKS.read(link.rpartition("/")[2]) == notification_id


def test_another_key_made_another_link() -> None:
    token = UnsubscribeLinks("", BlindIndex(b"j" * 32)).token(new_id())

    assert LINKS.read(token) is None


@settings(max_examples=60)
@given(
    st.text(max_size=60) | st.binary(min_size=32, max_size=32).map(lambda raw: LINKS.token(new_id())[:-2] + raw.hex())
)
def test_nothing_else_is_a_link(token: str) -> None:
    assert LINKS.read(token) is None
