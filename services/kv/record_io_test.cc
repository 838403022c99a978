#include "services/kv/record_io.h"

#include "google/protobuf/timestamp.pb.h"
#include "gtest/gtest.h"
#include "services/kv/memory_kv_engine.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using google::protobuf::Timestamp;

TEST(RecordIoTest, ReadsWrittenRecords) {
  MemoryKvEngine engine;
  Timestamp record;
  record.set_seconds(7);
  ASSERT_OK(engine.Transact(
      {{"k"}},
      [&](KvTransaction& transaction) {
        WriteRecord(transaction, "k", record);
        return absl::OkStatus();
      },
      Durability::kSynced));
  ASSERT_OK_AND_ASSIGN(const std::optional<Timestamp> read, ReadRecord<Timestamp>(engine, "k"));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->seconds(), 7);
  ASSERT_OK_AND_ASSIGN(const std::optional<Timestamp> none, ReadRecord<Timestamp>(engine, "other"));
  EXPECT_FALSE(none.has_value());
}

TEST(RecordIoTest, InvalidMessagesAreDataLossWithTheKey) {
  const absl::StatusOr<Timestamp> record = ParseRecord<Timestamp>("a/b", "\xff");
  EXPECT_THAT(record, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(record.status().message(), "the record a/b cannot be read");
}

}  // namespace
}  // namespace entrepot::kv
