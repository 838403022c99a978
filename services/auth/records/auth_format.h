#ifndef ENTREPOT_SERVICES_AUTH_RECORDS_AUTH_FORMAT_H_
#define ENTREPOT_SERVICES_AUTH_RECORDS_AUTH_FORMAT_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/kv/kv_engine.h"

namespace entrepot::auth {

// Checks that the KV has the layout of the auth service's records that this program supports, and marks an empty KV
// with it. kFailedPrecondition: it has another layout, or records but no mark.
absl::Status EnsureFormat(kv::KvEngine& kv);

// Reads all of the service's records, and checks that they have the layout. kFailedPrecondition: they have another
// layout, or there are none. kDataLoss: a record or key is damaged.
absl::Status CheckFormat(kv::KvReader& kv);

// Whether the KV has been marked by EnsureFormat(): an auth service has run with it.
absl::StatusOr<bool> HasFormat(kv::KvReader& kv);

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_RECORDS_AUTH_FORMAT_H_
