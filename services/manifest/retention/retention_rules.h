#ifndef ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_RULES_H_
#define ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_RULES_H_

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "entrepot/config/v1/retention.pb.h"

namespace entrepot::manifest {

// A valid retention file (config/v1/retention.proto, examples/retention.yaml).
struct RetentionRules {
  config::v1::RetentionFile file;
};

// kInvalidArgument: the text is invalid; the message has one line for each problem, with the file's name and
// the line.
absl::StatusOr<RetentionRules> ParseRetentionRules(absl::string_view text,
                                                   absl::string_view file_name = "retention rules");

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_RETENTION_RETENTION_RULES_H_
