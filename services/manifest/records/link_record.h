#ifndef ENTREPOT_SERVICES_MANIFEST_RECORDS_LINK_RECORD_H_
#define ENTREPOT_SERVICES_MANIFEST_RECORDS_LINK_RECORD_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/kv/kv_engine.h"

// Which repository may see a blob.
namespace entrepot::manifest {

absl::StatusOr<bool> HasLink(kv::KvReader& kv, const Digest& digest, const RepositoryName& repository);
absl::StatusOr<bool> HasAnyLink(kv::KvReader& kv, const Digest& digest);

// Unless it is there.
absl::Status EnsureLink(kv::KvTransaction& transaction, const Digest& digest, const RepositoryName& repository,
                        absl::Time now);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RECORDS_LINK_RECORD_H_
