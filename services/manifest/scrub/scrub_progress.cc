#include "services/manifest/scrub/scrub_progress.h"

#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/record_io.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {

using storage::v1::ScrubRecord;

absl::StatusOr<std::optional<ScrubRecord>> ReadScrubProgress(kv::KvReader& kv) {
  return ReadRecord<ScrubRecord>(kv, keys::Scrub());
}

absl::StatusOr<bool> WriteScrubProgress(kv::KvEngine& kv, const ScrubRecord& record) {
  bool written = false;
  const auto write = [&](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<ScrubRecord> before, ReadScrubProgress(transaction));
    written = !before.has_value() || FromTimestamp(before->started_at()) <= FromTimestamp(record.started_at());
    if (written) WriteRecord(transaction, keys::Scrub(), record);
    return absl::OkStatus();
  };
  RETURN_IF_ERROR(kv.Transact({{keys::Scrub(), kv::LockMode::kExclusive}}, write, kv::Durability::kBuffered));
  return written;
}

v1::ScrubReport ToScrubReport(const ScrubRecord& record) {
  v1::ScrubReport report;
  *report.mutable_started_at() = record.started_at();
  if (record.has_ended_at()) *report.mutable_ended_at() = record.ended_at();
  report.set_verified(record.verified());
  report.set_verified_bytes(record.verified_bytes());
  report.set_corrupt(record.corrupt());
  report.set_missing(record.missing());
  return report;
}

}  // namespace entrepot::manifest
