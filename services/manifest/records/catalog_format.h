#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_CATALOG_FORMAT_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_CATALOG_FORMAT_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

// Checks that the KV has the layout that this program knows; writes the format record into an empty KV.
// kFailedPrecondition if the KV has another layout, or records but no format record.
absl::Status EnsureFormat(kv::KvEngine& kv);

// The same without writing: kFailedPrecondition if there is no format record.
absl::Status CheckFormat(kv::KvReader& kv);

// Whether MarkAccounts() was called. The KV must have a format record.
absl::StatusOr<bool> HasAccounts(kv::KvReader& kv);
// Notes durably that the metadata belongs to a registry with accounts.
absl::Status MarkAccounts(kv::KvEngine& kv);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_CATALOG_FORMAT_H_
