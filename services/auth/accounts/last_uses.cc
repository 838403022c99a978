#include "services/auth/accounts/last_uses.h"

#include "entrepot/storage/v1/auth_records.pb.h"
#include "services/auth/records/auth_keys.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

using storage::v1::LastUseRecord;

constexpr absl::Duration kInterval = absl::Minutes(1);
constexpr size_t kAccountsMax = 65536;

}  // namespace

LastUses::LastUses(kv::KvEngine* kv, const Clock* clock) : kv_(*kv), clock_(*clock), written_(kAccountsMax) {}

void LastUses::Record(absl::string_view account) {
  const absl::Time now = clock_.Now();
  if (!IsDue(std::string(account), now)) return;
  LastUseRecord record;
  *record.mutable_used_at() = ToTimestamp(now);
  kv_.Transact(
         {{.key = keys::LastUse(account)}},
         [&](kv::KvTransaction& transaction) {
           kv::WriteRecord(transaction, keys::LastUse(account), record);
           return absl::OkStatus();
         },
         kv::Durability::kBuffered)
      .IgnoreError();
}

absl::StatusOr<std::optional<absl::Time>> LastUses::Find(absl::string_view account) const {
  ASSIGN_OR_RETURN(const std::optional<LastUseRecord> record,
                   kv::ReadRecord<LastUseRecord>(kv_, keys::LastUse(account)));
  if (!record.has_value()) return std::nullopt;
  return FromTimestamp(record->used_at());
}

void LastUses::Forget(kv::KvTransaction& transaction, absl::string_view account) {
  transaction.Delete(keys::LastUse(account));
}

bool LastUses::IsDue(const std::string& account, absl::Time now) {
  const absl::MutexLock lock(&mutex_);
  absl::Time* const written = written_.Find(account);
  if (written != nullptr && absl::AbsDuration(now - *written) < kInterval) return false;
  written_[account] = now;
  return true;
}

}  // namespace entrepot::auth
