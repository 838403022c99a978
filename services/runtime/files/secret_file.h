#ifndef ENTREPOT_SERVICES_RUNTIME_FILES_SECRET_FILE_H_
#define ENTREPOT_SERVICES_RUNTIME_FILES_SECRET_FILE_H_

#include <string>

namespace entrepot::runtime {

// Whether users other than the owner and the members of the file's group may read or write it. False if the file does
// not exist. Group permissions are allowed: system services get their keys by them.
bool IsOpenToOthers(const std::string& path);

// Logs a warning if IsOpenToOthers(). For configured files with secrets, each time that they are read.
void WarnIfOpenToOthers(const std::string& path);

}  // namespace entrepot::runtime

#endif  // ENTREPOT_SERVICES_RUNTIME_FILES_SECRET_FILE_H_
