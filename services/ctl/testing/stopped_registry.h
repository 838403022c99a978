#ifndef ENTREPOT_SERVICES_CTL_TESTING_STOPPED_REGISTRY_H_
#define ENTREPOT_SERVICES_CTL_TESTING_STOPPED_REGISTRY_H_

#include <string>

// For tests: creates data directories of a registry that is not running, without content, as its processes create them.
// Failures fail the test.
namespace entrepot::ctl {

void MakeStandaloneDirectory(const std::string& data);
// In split mode, one for each service.
void MakeManifestDirectory(const std::string& data);
void MakeBlobDirectory(const std::string& data);
void MakeAuthDirectory(const std::string& data);

// Writes an incomplete blob record to the manifest service's records in `data`; returns the blob's digest.
std::string WriteDamagedBlobRecord(const std::string& data);
// The same with the record of a LIVE blob that has no object.
std::string WriteRecordOfMissingBlob(const std::string& data);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_TESTING_STOPPED_REGISTRY_H_
