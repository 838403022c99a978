#include "services/manifest/retention/retention_file.h"

#include <algorithm>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "google/protobuf/util/message_differencer.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

absl::StatusOr<std::shared_ptr<const RetentionRules>> Parse(absl::string_view text, absl::string_view file_name) {
  ASSIGN_OR_RETURN(RetentionRules rules, ParseRetentionRules(text, file_name));
  return std::make_shared<const RetentionRules>(std::move(rules));
}

// A rule that was cut short may keep less, and without a rule another one may apply to its repositories.
std::vector<std::string> FindLostRules(const RetentionRules& before, const RetentionRules& now) {
  std::vector<std::string> lost;
  for (int i = 0; i < before.file.rules_size(); ++i) {
    const config::v1::RetentionRule& rule = before.file.rules(i);
    const bool stays = std::any_of(now.file.rules().begin(), now.file.rules().end(), [&](const auto& other) {
      return google::protobuf::util::MessageDifferencer::Equals(rule, other);
    });
    if (!stays) lost.push_back(absl::StrCat("rules[", i, "] ", QuotedInput(rule.name())));
  }
  return lost;
}

}  // namespace

absl::Status CheckRetentionFile(const std::string& path) {
  return runtime::WatchedFile<RetentionRules>::Check(path, Parse);
}

absl::StatusOr<std::unique_ptr<RetentionFile>> RetentionFile::Open(
    const std::string& path, const std::shared_ptr<prometheus::Registry>& registry, absl::Duration poll_interval) {
  ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                   File::Open("retention", path, Parse, registry, poll_interval, FindLostRules));
  return absl::WrapUnique(new RetentionFile(std::move(file)));
}

}  // namespace entrepot::manifest
