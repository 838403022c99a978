#include "services/policy/policy_file.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/memory/memory.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "google/protobuf/repeated_field.h"
#include "google/protobuf/util/message_differencer.h"
#include "services/runtime/log/json_log.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::policy {

namespace {

runtime::WatchedFile<Policy>::Parser ParserFor(Accounts accounts) {
  return accounts == Accounts::kSome ? Policy::Parse : Policy::ParseWithoutAccounts;
}

using TagRules = google::protobuf::RepeatedPtrField<config::v1::Policy::TagRule>;

// Adds a description of each rule of `before` that `now` does not have.
void AddGone(absl::string_view field, const TagRules& before, const TagRules& now, std::vector<std::string>* gone) {
  for (int i = 0; i < before.size(); ++i) {
    const bool stays = std::any_of(now.begin(), now.end(), [&](const auto& rule) {
      return google::protobuf::util::MessageDifferencer::Equals(rule, before[i]);
    });
    if (!stays) gone->push_back(absl::StrCat(field, "[", i, "] ", QuotedInput(before[i].name())));
  }
}

// A file that is cut short, or written in place, may be valid and lack its last rules. Rules on tags are the ones whose
// loss lets callers do more.
void LogGoneRestrictions(const Policy& before, const Policy& now) {
  std::vector<std::string> gone;
  AddGone("immutable_tags", before.file().immutable_tags(), now.file().immutable_tags(), &gone);
  AddGone("create_only_tags", before.file().create_only_tags(), now.file().create_only_tags(), &gone);
  if (gone.empty()) return;
  runtime::Log(runtime::LogLevel::kWarning, "the new policy lacks restrictions of the old one",
               {{"rules", absl::StrJoin(gone, ", ")}});
}

}  // namespace

absl::Status CheckPolicyFile(const std::string& path, Accounts accounts) {
  return runtime::WatchedFile<Policy>::Check(path, ParserFor(accounts));
}

absl::StatusOr<std::unique_ptr<PolicyFile>> PolicyFile::Open(const std::string& path,
                                                             const std::shared_ptr<prometheus::Registry>& registry,
                                                             absl::Duration poll_interval, Accounts accounts,
                                                             OnRead on_read) {
  auto parse = [parse = ParserFor(accounts), on_read = std::move(on_read)](
                   absl::string_view text, absl::string_view name) -> absl::StatusOr<std::shared_ptr<const Policy>> {
    ASSIGN_OR_RETURN(std::shared_ptr<const Policy> policy, parse(text, name));
    if (on_read) on_read(*policy);
    return policy;
  };
  ASSIGN_OR_RETURN(std::unique_ptr<File> file,
                   File::Open("policy", path, std::move(parse), registry, poll_interval, LogGoneRestrictions));
  return absl::WrapUnique(new PolicyFile(std::move(file)));
}

}  // namespace entrepot::policy
