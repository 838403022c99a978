#ifndef ENTREPOT_SERVICES_MANIFEST_RETENTION_KEPT_TAGS_H_
#define ENTREPOT_SERVICES_MANIFEST_RETENTION_KEPT_TAGS_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "entrepot/config/v1/retention.pb.h"
#include "services/manifest/retention/repository_content.h"

namespace entrepot::manifest {

// Which of a repository's tags stay, in the order of `tags`. `pulls_known_since`: what was pulled before nobody knows;
// a tag without a known pull may have been pulled then. A push counts as a pull: what was just pushed had no time to be
// pulled.
std::vector<bool> KeptTags(const config::v1::RetentionRule::Keep& keep, const std::vector<const TagState*>& tags,
                           absl::Time now, absl::Time pulls_known_since);

// For people: "keep the last 10 tags, tags like v*".
std::string DescribeKeep(const config::v1::RetentionRule::Keep& keep);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RETENTION_KEPT_TAGS_H_
