#include "services/auth/accounts/stored_users.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/auth_records.pb.h"
#include "services/auth/accounts/account_cleanup.h"
#include "services/auth/records/auth_keys.h"
#include "services/auth/records/record_scan.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/status/quoted_input.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

using storage::v1::UserRecord;

absl::StatusOr<StoredUsers::User> ToUser(absl::string_view name, const UserRecord& record) {
  const absl::StatusOr<BcryptHash> hash = BcryptHash::Parse(record.password_hash());
  if (!hash.ok()) return absl::DataLossError(absl::StrCat("user ", name, ": ", hash.status().message()));
  return StoredUsers::User{
      .name = std::string(name), .password_hash = *hash, .created_at = FromTimestamp(record.created_at())};
}

absl::Status NoSuchUser(absl::string_view name) {
  return absl::NotFoundError(absl::StrCat("there is no user ", QuotedInput(name)));
}

std::vector<kv::Lock> LocksOf(absl::string_view name) {
  std::vector<kv::Lock> locks = AccountCleanupLocks(name);
  locks.push_back({.key = keys::User(name)});
  return locks;
}

}  // namespace

absl::StatusOr<std::optional<StoredUsers::User>> StoredUsers::Find(absl::string_view name) const {
  ASSIGN_OR_RETURN(const std::optional<UserRecord> record, kv::ReadRecord<UserRecord>(kv_, keys::User(name)));
  if (!record.has_value()) return std::nullopt;
  return ToUser(name, *record);
}

absl::StatusOr<std::vector<StoredUsers::User>> StoredUsers::List() const {
  std::vector<User> users;
  RETURN_IF_ERROR(ForEachRecord<UserRecord>(kv_, keys::Users(),
                                            [&](absl::string_view name, const UserRecord& record) -> absl::Status {
                                              ASSIGN_OR_RETURN(User user, ToUser(name, record));
                                              users.push_back(std::move(user));
                                              return absl::OkStatus();
                                            }));
  return users;
}

absl::Status StoredUsers::Create(absl::string_view name, const BcryptHash& password_hash,
                                 absl::string_view created_by) {
  return kv_.Transact(LocksOf(name), [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const bool exists, Exists(transaction, name));
    if (exists) return absl::AlreadyExistsError(absl::StrCat("there is a user ", QuotedInput(name), " already"));
    UserRecord record;
    record.set_password_hash(password_hash.ToString());
    record.set_created_by(std::string(created_by));
    *record.mutable_created_at() = ToTimestamp(clock_.Now());
    kv::WriteRecord(transaction, keys::User(name), record);
    return CleanUpAccount(transaction, name);
  });
}

absl::Status StoredUsers::SetPassword(absl::string_view name, const BcryptHash& password_hash) {
  return kv_.Transact({LockOf(name)}, [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(std::optional<UserRecord> record, kv::ReadRecord<UserRecord>(transaction, keys::User(name)));
    if (!record.has_value()) return NoSuchUser(name);
    record->set_password_hash(password_hash.ToString());
    kv::WriteRecord(transaction, keys::User(name), *record);
    return absl::OkStatus();
  });
}

absl::Status StoredUsers::Delete(absl::string_view name) {
  return kv_.Transact(LocksOf(name), [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const bool exists, Exists(transaction, name));
    if (!exists) return NoSuchUser(name);
    transaction.Delete(keys::User(name));
    return CleanUpAccount(transaction, name);
  });
}

kv::Lock StoredUsers::LockOf(absl::string_view name) { return {.key = keys::User(name)}; }

absl::StatusOr<bool> StoredUsers::Exists(kv::KvReader& kv, absl::string_view name) {
  ASSIGN_OR_RETURN(const std::optional<std::string> value, kv.Get(keys::User(name)));
  return value.has_value();
}

}  // namespace entrepot::auth
