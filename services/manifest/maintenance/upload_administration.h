#ifndef ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_UPLOAD_ADMINISTRATION_H_
#define ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_UPLOAD_ADMINISTRATION_H_

#include <string>

#include "absl/status/statusor.h"
#include "entrepot/manifest/v1/maintenance.pb.h"
#include "entrepot/types/v1/open_upload.pb.h"
#include "services/core/blob_storage.h"
#include "services/core/open_uploads.h"
#include "services/wire/open_upload_messages.h"

// An administrator's commands for open uploads, which only the blob service knows.
namespace entrepot::manifest {

absl::StatusOr<types::v1::UploadList> ListUploads(const v1::ListUploads& command, BlobStorage& objects);
// kInvalidArgument: the filter is empty.
absl::StatusOr<types::v1::CancelledUploads> CancelUploads(const v1::CancelUploads& command, BlobStorage& objects);
// Sets the `uploads` of a MaintenanceStatus or a Usage. They stay absent if the blob service does not answer: the rest
// of the report does not need it.
template <typename Report>
void AddUploadTotals(BlobStorage& objects, Report& report) {
  if (const absl::StatusOr<UploadTotals> totals = objects.CountUploads(); totals.ok()) {
    *report.mutable_uploads() = ToMessage(*totals);
  }
}

// The filter for the audit log, like "account=ada repository=team/app".
std::string FilterText(const types::v1::UploadFilter& filter);

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_MAINTENANCE_UPLOAD_ADMINISTRATION_H_
