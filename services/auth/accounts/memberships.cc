#include "services/auth/accounts/memberships.h"

#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/auth_records.pb.h"
#include "services/auth/records/auth_keys.h"
#include "services/auth/records/record_scan.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

using storage::v1::MembershipRecord;

absl::StatusOr<std::vector<std::string>> ReadGroupsOf(kv::KvReader& kv, absl::string_view account) {
  const std::string prefix = keys::GroupsOf(account);
  std::vector<std::string> groups;
  RETURN_IF_ERROR(ForEachValue(kv, prefix, [&](const kv::KeyValue& entry) {
    groups.push_back(entry.key.substr(prefix.size()));
    return absl::OkStatus();
  }));
  return groups;
}

void Erase(kv::KvTransaction& transaction, absl::string_view group, absl::string_view account) {
  transaction.Delete(keys::MemberOfGroup(group, account));
  transaction.Delete(keys::GroupOfMember(account, group));
}

}  // namespace

absl::Status Memberships::Add(absl::string_view group, absl::string_view account, absl::string_view added_by,
                              const kv::Lock& account_lock, const kv::KvEngine::Function& check) {
  return kv_.Transact({account_lock, LockOf(account)}, [&](kv::KvTransaction& transaction) -> absl::Status {
    RETURN_IF_ERROR(check(transaction));
    ASSIGN_OR_RETURN(const std::optional<std::string> there, transaction.Get(keys::GroupOfMember(account, group)));
    if (there.has_value()) return absl::OkStatus();
    MembershipRecord record;
    *record.mutable_added_at() = ToTimestamp(clock_.Now());
    record.set_added_by(std::string(added_by));
    kv::WriteRecord(transaction, keys::MemberOfGroup(group, account), record);
    kv::WriteRecord(transaction, keys::GroupOfMember(account, group), record);
    return absl::OkStatus();
  });
}

absl::Status Memberships::Remove(absl::string_view group, absl::string_view account) {
  return kv_.Transact({LockOf(account)}, [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<std::string> there, transaction.Get(keys::GroupOfMember(account, group)));
    if (!there.has_value()) {
      return absl::NotFoundError(
          absl::StrCat(QuotedInput(account), " is not a member of the group ", QuotedInput(group)));
    }
    Erase(transaction, group, account);
    return absl::OkStatus();
  });
}

absl::StatusOr<std::vector<std::string>> Memberships::GroupsOf(absl::string_view account) const {
  return ReadGroupsOf(kv_, account);
}

absl::StatusOr<std::map<std::string, std::vector<std::string>>> Memberships::All() const {
  std::map<std::string, std::vector<std::string>> all;
  RETURN_IF_ERROR(ForEachValue(kv_, keys::Memberships(), [&](const kv::KeyValue& entry) -> absl::Status {
    ASSIGN_OR_RETURN(keys::Pair pair, keys::DecodeMembership(entry.key));
    all[pair.first].push_back(std::move(pair.second));
    return absl::OkStatus();
  }));
  return all;
}

kv::Lock Memberships::LockOf(absl::string_view account) { return {.key = keys::GroupsOf(account)}; }

absl::Status Memberships::RemoveFromAll(kv::KvTransaction& transaction, absl::string_view account) {
  ASSIGN_OR_RETURN(const std::vector<std::string> groups, ReadGroupsOf(transaction, account));
  for (const std::string& group : groups) Erase(transaction, group, account);
  return absl::OkStatus();
}

}  // namespace entrepot::auth
