#include "services/manifest/retention/retention.h"

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_cursor.h"
#include "services/manifest/records/repository_record.h"
#include "services/manifest/retention/repository_retention.h"
#include "services/policy/repository_pattern.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using config::v1::RetentionRule;
using storage::v1::PullTrackingRecord;
using storage::v1::RepositoryRecord;
using v1::RetentionReport;

constexpr int kShownMax = 1000;

struct Rule {
  const RetentionRule* rule;
  std::string name;
  std::vector<policy::RepositoryPattern> repositories;

  bool Matches(const RepositoryName& repository) const {
    return std::any_of(repositories.begin(), repositories.end(),
                       [&](const auto& pattern) { return pattern.Matches(repository.ToString()); });
  }
};

absl::StatusOr<std::vector<Rule>> ReadRules(const RetentionRules& rules) {
  std::vector<Rule> read;
  for (const RetentionRule& rule : rules.file.rules()) {
    Rule& added = read.emplace_back();
    added.rule = &rule;
    added.name = absl::StrCat("rule ", read.size());
    if (!rule.name().empty()) absl::StrAppend(&added.name, " ", QuotedInput(rule.name()));
    for (const std::string& pattern : rule.repositories()) {
      ASSIGN_OR_RETURN(policy::RepositoryPattern parsed, policy::RepositoryPattern::Parse(pattern));
      added.repositories.push_back(std::move(parsed));
    }
  }
  return read;
}

const Rule* RuleFor(const std::vector<Rule>& rules, const RepositoryName& repository) {
  const auto rule = std::find_if(rules.begin(), rules.end(), [&](const Rule& r) { return r.Matches(repository); });
  return rule != rules.end() ? &*rule : nullptr;
}

void AddRemoval(const RepositoryName& repository, const std::string& what, const std::string& reason,
                const std::function<void(const RetentionReport::Removal&)>& audit, RetentionReport* report) {
  RetentionReport::Removal removal;
  removal.set_repository(repository.ToString());
  removal.set_what(what);
  removal.set_reason(reason);
  if (audit && !report->dry_run()) audit(removal);
  if (report->removals_size() < kShownMax) *report->add_removals() = std::move(removal);
}

}  // namespace

Retention::Retention(kv::KvEngine* kv, const Clock* clock, RegistryCatalog* catalog,
                     std::function<void(const RetentionReport::Removal&)> audit)
    : kv_(kv), clock_(clock), catalog_(catalog), audit_(std::move(audit)) {}

absl::StatusOr<RetentionReport> Retention::Apply(const RetentionRules& rules, bool dry_run, const Pace& pace) {
  ASSIGN_OR_RETURN(const std::vector<Rule> read_rules, ReadRules(rules));
  const absl::Time now = clock_->Now();
  ASSIGN_OR_RETURN(const auto tracking, kv::ReadRecord<PullTrackingRecord>(*kv_, keys::PullTracking()));
  RetentionReport report;
  report.set_dry_run(dry_run);
  absl::Status first_error;
  RecordCursor cursor(kv_, keys::Repositories(), "");
  for (;;) {
    ASSIGN_OR_RETURN(const kv::KeyValue* const entry, cursor.Next());
    if (entry == nullptr) break;
    const absl::StatusOr<keys::Decoded> key = keys::Decode(entry->key);
    const absl::StatusOr<RepositoryRecord> record = kv::ParseRecord<RepositoryRecord>(entry->key, entry->value);
    if (!key.ok() || !record.ok()) {
      first_error.Update(key.ok() ? record.status() : key.status());
      continue;
    }
    const RepositoryName& repository = *key->repository;
    const Rule* const rule = RepositoryExists(*record) ? RuleFor(read_rules, repository) : nullptr;
    if (rule == nullptr || (!rule->rule->has_keep() && !rule->rule->has_untagged_after())) continue;

    const RepositoryRetention::Outcome outcome{
        .tag_removed =
            [&](const std::string& what, const std::string& reason) {
              report.set_tags(report.tags() + 1);
              AddRemoval(repository, what, reason, audit_, &report);
            },
        .manifest_removed =
            [&](const std::string& what, const std::string& reason) {
              report.set_manifests(report.manifests() + 1);
              AddRemoval(repository, what, reason, audit_, &report);
            },
        .kept_immutable = [&] { report.set_kept_immutable(report.kept_immutable() + 1); }};
    const RepositoryRetention::Settings settings{
        .kv = kv_,
        .catalog = catalog_,
        .rule = rule->rule,
        .rule_name = rule->name,
        .now = now,
        .pulls_known_since = tracking.has_value() ? FromTimestamp(tracking->since()) : now,
        .dry_run = dry_run,
        .pace = &pace};
    absl::Status status = RepositoryRetention(settings, &repository, &outcome).Run();
    if (absl::IsCancelled(status)) return status;
    if (!status.ok() && first_error.ok()) {
      first_error = absl::Status(status.code(), absl::StrCat(repository.ToString(), ": ", status.message()));
    }
  }
  RETURN_IF_ERROR(first_error);
  return report;
}

absl::StatusOr<v1::RetentionReport> AuditedRetention::Apply(const RetentionRules& rules, bool dry_run,
                                                            const std::string& account, const Pace& pace) const {
  if (pulls_ != nullptr) RETURN_IF_ERROR(pulls_->Flush());
  Retention retention(kv_, clock_, catalog_,
                      [&](const v1::RetentionReport::Removal& removal) { Write(removal, account); });
  return retention.Apply(rules, dry_run, pace);
}

void AuditedRetention::Write(const v1::RetentionReport::Removal& removal, const std::string& account) const {
  if (audit_ == nullptr) return;
  audit_->Write("retention", {{"account", account},
                              {"repository", removal.repository()},
                              {"removed", removal.what()},
                              {"reason", removal.reason()}});
}

}  // namespace entrepot::manifest
