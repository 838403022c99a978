#include "services/kv/write_buffer.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::ElementsAre;
using testing::Eq;
using testing::IsEmpty;
using testing::Optional;
using testing::Pair;

const Entries kEntries = {{"p1", "one"}, {"p2", "two"}, {"p3", "three"}, {"q", "other"}};

TEST(WriteBufferTest, ReadsSeeItsWritesOverTheEntries) {
  WriteBuffer buffer;
  buffer.Put("p2", "new");
  buffer.Delete("p3");
  buffer.Put("p4", "");
  EXPECT_THAT(buffer.Get(kEntries, "p1"), Optional(Eq("one")));
  EXPECT_THAT(buffer.Get(kEntries, "p2"), Optional(Eq("new")));
  EXPECT_THAT(buffer.Get(kEntries, "p3"), Eq(std::nullopt));
  EXPECT_THAT(buffer.Scan(kEntries, {.prefix = "p"}),
              ElementsAre(KeyValue{"p1", "one"}, KeyValue{"p2", "new"}, KeyValue{"p4", ""}));
  EXPECT_THAT(buffer.Scan(kEntries, {.prefix = "p", .start_after = "p1", .limit = 1}),
              ElementsAre(KeyValue{"p2", "new"}));
}

TEST(WriteBufferTest, RefusesWritesUnderASharedLock) {
  const std::vector<Lock> locks = {{"a", LockMode::kExclusive}, {"b", LockMode::kShared}};
  WriteBuffer buffer(&locks);
  buffer.Put("a", "1");
  EXPECT_OK(buffer.status());
  buffer.Put("b", "1");
  EXPECT_THAT(buffer.status(), StatusIs(absl::StatusCode::kInternal));
  buffer.Put("c", "1");
  EXPECT_THAT(buffer.writes(), ElementsAre(Pair("a", Optional(Eq("1")))));
}

TEST(WriteBufferTest, ApplyReturnsThePreviousValues) {
  WriteBuffer buffer;
  buffer.Put("p2", "new");
  buffer.Delete("p3");
  buffer.Put("p4", "four");
  buffer.Delete("none");
  Entries entries = kEntries;
  const WriteBuffer::Writes before = Apply(buffer.writes(), &entries);
  EXPECT_THAT(entries, ElementsAre(Pair("p1", "one"), Pair("p2", "new"), Pair("p4", "four"), Pair("q", "other")));
  Apply(before, &entries);
  EXPECT_EQ(entries, kEntries);
}

TEST(WriteBufferTest, ShowsTheEntriesIfNothingIsWritten) {
  const WriteBuffer buffer;
  EXPECT_THAT(buffer.Get(kEntries, "q"), Optional(Eq("other")));
  EXPECT_THAT(buffer.Scan(kEntries, {.prefix = "x"}), IsEmpty());
}

}  // namespace
}  // namespace entrepot::kv
