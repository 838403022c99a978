#ifndef ENTREPOT_SERVICES_CORE_TIME_PROTO_TIME_H_
#define ENTREPOT_SERVICES_CORE_TIME_PROTO_TIME_H_

#include "absl/time/time.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/timestamp.pb.h"

namespace entrepot {

// The timestamp of a finite time, rounded down to a whole microsecond.
google::protobuf::Timestamp ToTimestamp(absl::Time time);

// The exact time of a timestamp.
absl::Time FromTimestamp(const google::protobuf::Timestamp& timestamp);

// The exact duration.
absl::Duration ToDuration(const google::protobuf::Duration& duration);

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_CORE_TIME_PROTO_TIME_H_
