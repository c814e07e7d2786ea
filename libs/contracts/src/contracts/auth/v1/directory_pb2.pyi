from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetBusinessRequest(_message.Message):
    __slots__ = ("business_id",)
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    business_id: str
    def __init__(self, business_id: _Optional[str] = ...) -> None: ...

class Business(_message.Message):
    __slots__ = ("id", "name", "legal_name", "tax_id", "country", "currency", "time_zone", "phone", "email", "is_active", "owner_id", "address", "city", "state", "postal_code")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    LEGAL_NAME_FIELD_NUMBER: _ClassVar[int]
    TAX_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTRY_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    IS_ACTIVE_FIELD_NUMBER: _ClassVar[int]
    OWNER_ID_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CITY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    POSTAL_CODE_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    legal_name: str
    tax_id: str
    country: str
    currency: str
    time_zone: str
    phone: str
    email: str
    is_active: bool
    owner_id: str
    address: str
    city: str
    state: str
    postal_code: str
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., legal_name: _Optional[str] = ..., tax_id: _Optional[str] = ..., country: _Optional[str] = ..., currency: _Optional[str] = ..., time_zone: _Optional[str] = ..., phone: _Optional[str] = ..., email: _Optional[str] = ..., is_active: _Optional[bool] = ..., owner_id: _Optional[str] = ..., address: _Optional[str] = ..., city: _Optional[str] = ..., state: _Optional[str] = ..., postal_code: _Optional[str] = ...) -> None: ...

class GetBranchRequest(_message.Message):
    __slots__ = ("business_id", "branch_id")
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    BRANCH_ID_FIELD_NUMBER: _ClassVar[int]
    business_id: str
    branch_id: str
    def __init__(self, business_id: _Optional[str] = ..., branch_id: _Optional[str] = ...) -> None: ...

class Branch(_message.Message):
    __slots__ = ("id", "business_id", "name", "is_active", "address", "city")
    ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    IS_ACTIVE_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    CITY_FIELD_NUMBER: _ClassVar[int]
    id: str
    business_id: str
    name: str
    is_active: bool
    address: str
    city: str
    def __init__(self, id: _Optional[str] = ..., business_id: _Optional[str] = ..., name: _Optional[str] = ..., is_active: _Optional[bool] = ..., address: _Optional[str] = ..., city: _Optional[str] = ...) -> None: ...

class GetMembershipRequest(_message.Message):
    __slots__ = ("user_id", "business_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    business_id: str
    def __init__(self, user_id: _Optional[str] = ..., business_id: _Optional[str] = ...) -> None: ...

class Membership(_message.Message):
    __slots__ = ("user_id", "business_id", "role", "branch_ids")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    BRANCH_IDS_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    business_id: str
    role: str
    branch_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, user_id: _Optional[str] = ..., business_id: _Optional[str] = ..., role: _Optional[str] = ..., branch_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class CheckSessionRequest(_message.Message):
    __slots__ = ("session_id",)
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    def __init__(self, session_id: _Optional[str] = ...) -> None: ...

class CheckSessionResponse(_message.Message):
    __slots__ = ("active", "valid_from_us")
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_US_FIELD_NUMBER: _ClassVar[int]
    active: bool
    valid_from_us: int
    def __init__(self, active: _Optional[bool] = ..., valid_from_us: _Optional[int] = ...) -> None: ...

class ListMembershipsRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class ListMembershipsResponse(_message.Message):
    __slots__ = ("memberships",)
    MEMBERSHIPS_FIELD_NUMBER: _ClassVar[int]
    memberships: _containers.RepeatedCompositeFieldContainer[Membership]
    def __init__(self, memberships: _Optional[_Iterable[_Union[Membership, _Mapping]]] = ...) -> None: ...

class GetUserRequest(_message.Message):
    __slots__ = ("user_id",)
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: str
    def __init__(self, user_id: _Optional[str] = ...) -> None: ...

class User(_message.Message):
    __slots__ = ("id", "phone", "email", "phone_verified", "email_verified", "first_name", "language")
    ID_FIELD_NUMBER: _ClassVar[int]
    PHONE_FIELD_NUMBER: _ClassVar[int]
    EMAIL_FIELD_NUMBER: _ClassVar[int]
    PHONE_VERIFIED_FIELD_NUMBER: _ClassVar[int]
    EMAIL_VERIFIED_FIELD_NUMBER: _ClassVar[int]
    FIRST_NAME_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    id: str
    phone: str
    email: str
    phone_verified: bool
    email_verified: bool
    first_name: str
    language: str
    def __init__(self, id: _Optional[str] = ..., phone: _Optional[str] = ..., email: _Optional[str] = ..., phone_verified: _Optional[bool] = ..., email_verified: _Optional[bool] = ..., first_name: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class GetCodeRequest(_message.Message):
    __slots__ = ("code_id",)
    CODE_ID_FIELD_NUMBER: _ClassVar[int]
    code_id: str
    def __init__(self, code_id: _Optional[str] = ...) -> None: ...

class Code(_message.Message):
    __slots__ = ("code", "channel", "recipient", "purpose", "language", "expires_at")
    CODE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    RECIPIENT_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    code: str
    channel: str
    recipient: str
    purpose: str
    language: str
    expires_at: int
    def __init__(self, code: _Optional[str] = ..., channel: _Optional[str] = ..., recipient: _Optional[str] = ..., purpose: _Optional[str] = ..., language: _Optional[str] = ..., expires_at: _Optional[int] = ...) -> None: ...
