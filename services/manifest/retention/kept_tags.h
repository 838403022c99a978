#ifndef ENTREPOT_SERVICES_MANIFEST_RETENTION_KEPT_TAGS_H_
#define ENTREPOT_SERVICES_MANIFEST_RETENTION_KEPT_TAGS_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "entrepot/config/v1/retention.pb.h"
#include "services/manifest/retention/repository_content.h"

namespace entrepot::manifest {

// Returns for each of a repository's tags whether it is kept, in the order of `tags`. Pulls before `pulls_known_since`
// are not known: a tag without a known pull counts as pulled then. A push counts as a pull, because a new tag had no
// time to be pulled.
std::vector<bool> KeptTags(const config::v1::RetentionRule::Keep& keep, const std::vector<const TagState*>& tags,
                           absl::Time now, absl::Time pulls_known_since);

// A description for people, like "keep the last 10 tags, tags like v*".
std::string DescribeKeep(const config::v1::RetentionRule::Keep& keep);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RETENTION_KEPT_TAGS_H_
