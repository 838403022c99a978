#ifndef ENTREPOT_SERVICES_MANIFEST_TAG_RECORDS_H_
#define ENTREPOT_SERVICES_MANIFEST_TAG_RECORDS_H_

#include <optional>
#include <set>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/kv/kv_engine.h"

// Tags, each with its record and its entry among the tags of its manifest.
namespace entrepot::manifest {

// The manifest that the tag names; nullopt where there is no such tag.
absl::StatusOr<std::optional<Digest>> ReadTag(kv::KvReader& kv, const RepositoryName& repository, const Tag& tag);

// All tags of a manifest.
absl::StatusOr<std::set<Tag>> TagsOfManifest(kv::KvReader& kv, const RepositoryName& repository, const Digest& digest);

// Makes or moves the tag. Within a transaction that holds the tag and the manifest exclusively.
absl::Status WriteTag(kv::KvTransaction& transaction, const RepositoryName& repository, const Tag& tag,
                      const Digest& digest, absl::Time now);

// Within a transaction that holds the tag, which names `digest`, exclusively.
void RemoveTag(kv::KvTransaction& transaction, const RepositoryName& repository, const Tag& tag, const Digest& digest);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_TAG_RECORDS_H_
