#ifndef ENTREPOT_SERVICES_AUTH_RECORDS_AUTH_FORMAT_H_
#define ENTREPOT_SERVICES_AUTH_RECORDS_AUTH_FORMAT_H_

#include "absl/status/status.h"
#include "services/kv/kv_engine.h"

namespace entrepot::auth {

// Checks that the KV holds the layout of the auth service's records that this program knows, and marks an empty one
// with it. kFailedPrecondition where it holds another one, or records without a mark.
absl::Status EnsureFormat(kv::KvEngine& kv);

// Reads all of the service's records, and checks that they have the layout. kFailedPrecondition where they have another
// one or there are none; kDataLoss.
absl::Status CheckFormat(kv::KvReader& kv);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_RECORDS_AUTH_FORMAT_H_
