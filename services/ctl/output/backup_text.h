#ifndef ENTREPOT_SERVICES_CTL_OUTPUT_BACKUP_TEXT_H_
#define ENTREPOT_SERVICES_CTL_OUTPUT_BACKUP_TEXT_H_

#include <string>

#include "entrepot/manifest/v1/maintenance.pb.h"
#include "services/ctl/offline/offline_registry.h"

// What backup and restore print for people. Each text ends with a newline.
namespace entrepot::ctl {

// The parts of the backup, and the command that restores it.
std::string BackupText(const manifest::v1::Backup& backup);
// The command that serves restored directories.
std::string ServeText(const RegistryDirectories& data, bool has_accounts);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_OUTPUT_BACKUP_TEXT_H_
