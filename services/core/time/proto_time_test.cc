#include "services/core/time/proto_time.h"

#include "gtest/gtest.h"

namespace entrepot {
namespace {

TEST(ProtoTimeTest, SplitsSecondsAndNanoseconds) {
  const google::protobuf::Timestamp timestamp = ToTimestamp(absl::FromUnixMicros(1'700'000'000'123'456));
  EXPECT_EQ(timestamp.seconds(), 1'700'000'000);
  EXPECT_EQ(timestamp.nanos(), 123'456'000);
}

TEST(ProtoTimeTest, RoundsDownToWholeMicroseconds) {
  const absl::Time time = absl::FromUnixNanos(1'700'000'000'123'456'789);
  EXPECT_EQ(FromTimestamp(ToTimestamp(time)), absl::FromUnixMicros(1'700'000'000'123'456));
  EXPECT_EQ(FromTimestamp(ToTimestamp(absl::FromUnixNanos(-1))), absl::FromUnixMicros(-1));
}

TEST(ProtoTimeTest, NanosecondsAreNotNegativeBeforeTheEpoch) {
  const google::protobuf::Timestamp timestamp = ToTimestamp(absl::FromUnixMicros(-1));
  EXPECT_EQ(timestamp.seconds(), -1);
  EXPECT_EQ(timestamp.nanos(), 999'999'000);
  EXPECT_EQ(FromTimestamp(timestamp), absl::FromUnixMicros(-1));
}

TEST(ProtoTimeTest, ReadsNanosecondsExactly) {
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(7);
  timestamp.set_nanos(5);
  EXPECT_EQ(FromTimestamp(timestamp), absl::FromUnixNanos(7'000'000'005));
}

TEST(ProtoTimeTest, ConvertsDurations) {
  google::protobuf::Duration duration;
  duration.set_seconds(-1);
  duration.set_nanos(-500000000);
  EXPECT_EQ(ToDuration(duration), absl::Milliseconds(-1500));
}

}  // namespace
}  // namespace entrepot
