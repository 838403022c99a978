#ifndef ENTREPOT_SERVICES_MANIFEST_SCRUB_SCRUB_PROGRESS_H_
#define ENTREPOT_SERVICES_MANIFEST_SCRUB_SCRUB_PROGRESS_H_

#include <optional>

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/kv/kv_engine.h"

// How far the scrub is, in the KV: one pass, under way or the last one.
namespace entrepot::manifest {

absl::StatusOr<std::optional<storage::v1::ScrubRecord>> ReadScrubProgress(kv::KvReader& kv);

// false, and nothing written, where a pass has begun there since this one did.
absl::StatusOr<bool> WriteScrubProgress(kv::KvEngine& kv, const storage::v1::ScrubRecord& record);

v1::ScrubReport ToScrubReport(const storage::v1::ScrubRecord& record);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_SCRUB_SCRUB_PROGRESS_H_
