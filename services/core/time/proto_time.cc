#include "services/core/time/proto_time.h"

namespace entrepot {

google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  const absl::Time whole = absl::FromUnixMicros(absl::ToUnixMicros(time));
  const int64_t seconds = absl::ToUnixSeconds(whole);
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(seconds);
  timestamp.set_nanos(static_cast<int32_t>(absl::ToInt64Nanoseconds(whole - absl::FromUnixSeconds(seconds))));
  return timestamp;
}

absl::Time FromTimestamp(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

absl::Duration ToDuration(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace entrepot
