#ifndef ENTREPOT_SERVICES_KV_TESTING_TEMPORARY_DIRECTORY_H_
#define ENTREPOT_SERVICES_KV_TESTING_TEMPORARY_DIRECTORY_H_

#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "gtest/gtest.h"

namespace entrepot::kv {

// For tests: an empty directory, gone with its owner.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    if (mkdtemp(path_.data()) == nullptr) std::abort();
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_ = ::testing::TempDir() + "/entrepot.XXXXXX";
};

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_TESTING_TEMPORARY_DIRECTORY_H_
