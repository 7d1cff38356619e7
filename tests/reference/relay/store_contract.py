"""What every store owes the relay, as plain functions: ``make()`` opens the store on the same medium each time it is called."""

RECORDS = [b"one", b"", b"\x00\xff" * 1000, b"four"]


async def keeps_records_in_order(make):
    store = make()
    assert await store.load() == []
    await store.commit(RECORDS[:2])
    await store.commit(RECORDS[2:])
    assert await store.load() == RECORDS
    await store.aclose()


async def finds_them_again_after_closing(make):
    store = make()
    await store.commit(RECORDS)
    await store.aclose()
    again = make()
    assert await again.load() == RECORDS
    await again.commit([b"five"])
    assert await again.load() == [*RECORDS, b"five"]
    await again.aclose()


async def keeps_what_was_committed_without_closing(make):
    store = make()
    await store.commit(RECORDS)
    again = make()
    assert await again.load() == RECORDS
    await again.aclose()
    await store.aclose()


CONTRACT = (keeps_records_in_order, finds_them_again_after_closing, keeps_what_was_committed_without_closing)
