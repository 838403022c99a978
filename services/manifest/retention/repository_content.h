#ifndef ENTREPOT_SERVICES_MANIFEST_RETENTION_REPOSITORY_CONTENT_H_
#define ENTREPOT_SERVICES_MANIFEST_RETENTION_REPOSITORY_CONTENT_H_

#include <map>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "services/core/digest.h"
#include "services/core/repository_name.h"
#include "services/core/tag.h"
#include "services/core/time/stop_signal.h"
#include "services/kv/kv_engine.h"

namespace entrepot::manifest {

struct TagState {
  Tag tag;
  Digest digest;
  absl::Time pushed_at;
  // Absent if no pull is known.
  std::optional<absl::Time> pulled_at;
};

struct ManifestState {
  absl::Time pushed_at;
  std::optional<Digest> subject;
};

// The tags and manifests of one repository, as far as retention needs them. Read without locks, the tags first.
struct RepositoryContent {
  std::vector<TagState> tags;
  std::map<Digest, ManifestState> manifests;
};

// kCancelled if `pace` returned false.
absl::StatusOr<RepositoryContent> ReadRepositoryContent(kv::KvReader& kv, const RepositoryName& repository,
                                                        const Pace& pace);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RETENTION_REPOSITORY_CONTENT_H_
