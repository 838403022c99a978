#ifndef ENTREPOT_SERVICES_CTL_MAINTENANCE_TEXT_H_
#define ENTREPOT_SERVICES_CTL_MAINTENANCE_TEXT_H_

#include <cstdint>
#include <string>

#include "entrepot/manifest/v1/maintenance.pb.h"

// What people read of the answers about what is stored. Each ends with a newline.
namespace entrepot::ctl {

// "512 B", "1.5 GiB".
std::string SizeText(uint64_t bytes);

std::string CollectionStatusText(const manifest::v1::MaintenanceStatus& status);
std::string ScrubStatusText(const manifest::v1::MaintenanceStatus& status);
std::string CollectionText(const manifest::v1::Collection& collection);
std::string ScrubText(const manifest::v1::ScrubReport& report);
std::string InvariantsText(const manifest::v1::InvariantReport& report);
std::string BackupText(const manifest::v1::Backup& backup);
std::string UsageText(const manifest::v1::Usage& usage);
std::string RepositoryUsageText(const manifest::v1::Usage::Repository& repository);
std::string RetentionText(const manifest::v1::RetentionReport& report);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_MAINTENANCE_TEXT_H_
