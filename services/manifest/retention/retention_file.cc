#include "services/manifest/retention/retention_file.h"

#include "absl/memory/memory.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

absl::StatusOr<std::shared_ptr<const RetentionRules>> Parse(absl::string_view text, absl::string_view file_name) {
  ASSIGN_OR_RETURN(RetentionRules rules, ParseRetentionRules(text, file_name));
  return std::make_shared<const RetentionRules>(std::move(rules));
}

}  // namespace

absl::Status CheckRetentionFile(const std::string& path) {
  return runtime::WatchedFile<RetentionRules>::Check(path, Parse);
}

absl::StatusOr<std::unique_ptr<RetentionFile>> RetentionFile::Open(
    const std::string& path, const std::shared_ptr<prometheus::Registry>& registry, absl::Duration poll_interval) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file, File::Open("retention", path, Parse, registry, poll_interval));
  return absl::WrapUnique(new RetentionFile(std::move(file)));
}

}  // namespace entrepot::manifest
