#ifndef ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_WRITES_H_
#define ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_WRITES_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/kv/kv_engine.h"
#include "services/manifest/catalog/manifest_needs.h"
#include "services/manifest/format/manifest_validator.h"

// Writes and removes all records of one manifest except its tags. The transactions must hold the manifest exclusively.
namespace entrepot::manifest {

// `needs` is the result of FindNeeds() within the same transaction. `cached`: the repository is a cache; then the
// manifest counts as used now.
void WriteManifest(kv::KvTransaction& transaction, const RepositoryName& repository, const Digest& digest,
                   const std::string& content, const ValidManifest& manifest, const std::vector<FoundNeed>& needs,
                   bool cached, absl::Time now);

// The digests that a stored manifest refers to, whether or not they exist, each once. kDataLoss if it cannot be parsed.
absl::StatusOr<std::set<Digest>> ReferencesOf(const Digest& digest, const storage::v1::ManifestRecord& record);

// `subject` is that of its record. `references` is ReferencesOf() the manifest; the transaction must hold their blobs.
// Queues each of them for review.
absl::Status RemoveManifest(kv::KvTransaction& transaction, const RepositoryName& repository, const Digest& digest,
                            const std::string& subject, const std::set<Digest>& references, absl::Time now);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_CATALOG_MANIFEST_WRITES_H_
