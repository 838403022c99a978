#ifndef ENTREPOT_SERVICES_CTL_OUTPUT_MAINTENANCE_TEXT_H_
#define ENTREPOT_SERVICES_CTL_OUTPUT_MAINTENANCE_TEXT_H_

#include <string>

#include "entrepot/manifest/v1/maintenance.pb.h"

// Answers of the manifest service for people. Each text ends with a newline.
namespace entrepot::ctl {

std::string CollectionStatusText(const manifest::v1::MaintenanceStatus& status);
std::string ScrubStatusText(const manifest::v1::MaintenanceStatus& status);
std::string CollectionText(const manifest::v1::Collection& collection);
std::string ScrubText(const manifest::v1::ScrubReport& report);
std::string InvariantsText(const manifest::v1::InvariantReport& report);
std::string UsageText(const manifest::v1::Usage& usage);
std::string RepositoryUsageText(const manifest::v1::Usage::Repository& repository);
std::string UploadListText(const types::v1::UploadList& list);
std::string CancelledUploadsText(const types::v1::CancelledUploads& cancelled);
std::string RetentionText(const manifest::v1::RetentionReport& report);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_OUTPUT_MAINTENANCE_TEXT_H_
