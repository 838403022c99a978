#ifndef ENTREPOT_SERVICES_BLOB_OBJECTS_TIMESTAMPS_H_
#define ENTREPOT_SERVICES_BLOB_OBJECTS_TIMESTAMPS_H_

#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"

namespace entrepot::blob {

inline google::protobuf::Timestamp ToTimestamp(absl::Time time) {
  const timespec spec = absl::ToTimespec(time);
  google::protobuf::Timestamp timestamp;
  timestamp.set_seconds(spec.tv_sec);
  timestamp.set_nanos(static_cast<int32_t>(spec.tv_nsec));
  return timestamp;
}

inline absl::Time ToTime(const google::protobuf::Timestamp& timestamp) {
  return absl::FromUnixSeconds(timestamp.seconds()) + absl::Nanoseconds(timestamp.nanos());
}

}  // namespace entrepot::blob

#endif  // ENTREPOT_SERVICES_BLOB_OBJECTS_TIMESTAMPS_H_
