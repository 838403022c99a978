#include "services/manifest/maintenance/work_leases.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/core/text/lower_hex.h"
#include "services/core/time/proto_time.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::Lease;
using storage::v1::WorkLeasesRecord;

constexpr size_t kHolderBytes = 8;

bool Holds(const Lease& lease, absl::Time now) {
  const absl::Duration left = FromTimestamp(lease.expires_at()) - now;
  // A lease that seems to last longer than any lease is of a process whose clock was ahead, or of a time before this
  // clock was set back. It does not count.
  return left > absl::ZeroDuration() && left <= WorkLeases::kLifetime;
}

absl::StatusOr<WorkLeasesRecord> ReadLeases(kv::KvReader& kv) {
  ASSIGN_OR_RETURN(std::optional<WorkLeasesRecord> record, kv::ReadRecord<WorkLeasesRecord>(kv, keys::WorkLeases()));
  return std::move(record).value_or(WorkLeasesRecord());
}

}  // namespace

WorkLeases::WorkLeases(kv::KvEngine* kv, const Clock* clock, bool shared)
    : kv_(*kv), clock_(*clock), shared_(shared), holder_(RandomLowerHex(kHolderBytes)) {}

absl::StatusOr<bool> WorkLeases::Run(const std::string& name, const Pace& pace,
                                     const std::function<void(const Pace& pace)>& work) {
  if (!shared_) {
    work(pace);
    return true;
  }
  ASSIGN_OR_RETURN(const bool acquired, Acquire(name));
  if (!acquired) return false;
  absl::Time renewed_at = clock_.Now();
  bool lost = false;
  work([&](uint64_t operations, uint64_t bytes) {
    if (!pace(operations, bytes)) return false;
    const absl::Time now = clock_.Now();
    if (absl::AbsDuration(now - renewed_at) < kLifetime / 4) return true;
    renewed_at = now;
    const absl::StatusOr<bool> renewed = Acquire(name);
    // If the records cannot be written, the work finds out by itself.
    lost = renewed.ok() && !*renewed;
    return !lost;
  });
  if (!lost) Release(name);
  return true;
}

absl::StatusOr<bool> WorkLeases::Acquire(const std::string& name) {
  bool acquired = false;
  RETURN_IF_ERROR(kv_.Transact(
      {{.key = keys::WorkLeases()}},
      [&](kv::KvTransaction& transaction) -> absl::Status {
        acquired = false;
        const absl::Time now = clock_.Now();
        ASSIGN_OR_RETURN(const WorkLeasesRecord before, ReadLeases(transaction));
        WorkLeasesRecord after;
        for (const Lease& lease : before.leases()) {
          if (!Holds(lease, now)) continue;
          if (lease.name() != name) {
            *after.add_leases() = lease;
          } else if (lease.holder() != holder_) {
            return absl::OkStatus();
          }
        }
        Lease& own = *after.add_leases();
        own.set_name(name);
        own.set_holder(holder_);
        *own.mutable_expires_at() = ToTimestamp(now + kLifetime);
        kv::WriteRecord(transaction, keys::WorkLeases(), after);
        acquired = true;
        return absl::OkStatus();
      },
      kv::Durability::kBuffered));
  return acquired;
}

void WorkLeases::Release(const std::string& name) {
  // If it fails, the lease ends by itself.
  kv_.Transact(
         {{.key = keys::WorkLeases()}},
         [&](kv::KvTransaction& transaction) -> absl::Status {
           ASSIGN_OR_RETURN(WorkLeasesRecord record, ReadLeases(transaction));
           auto& leases = *record.mutable_leases();
           const auto first = std::remove_if(leases.begin(), leases.end(), [&](const Lease& lease) {
             return lease.name() == name && lease.holder() == holder_;
           });
           leases.erase(first, leases.end());
           kv::WriteRecord(transaction, keys::WorkLeases(), record);
           return absl::OkStatus();
         },
         kv::Durability::kBuffered)
      .IgnoreError();
}

}  // namespace entrepot::manifest
