#ifndef ENTREPOT_SERVICES_MANIFEST_TESTING_CATALOG_TEST_FIXTURE_H_
#define ENTREPOT_SERVICES_MANIFEST_TESTING_CATALOG_TEST_FIXTURE_H_

#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/testing/test_engine.h"
#include "services/manifest/catalog/registry_catalog.h"
#include "services/manifest/check/catalog_invariants.h"
#include "services/manifest/testing/catalog_test_content.h"
#include "services/policy/policy.h"
#include "services/status/status_matchers.h"

namespace entrepot::manifest {

// For tests: a catalog over each kind of engine. Its invariants are checked at the end.
class CatalogTest : public testing::TestWithParam<kv::TestEngineKind> {
 protected:
  CatalogTest() : engine_(GetParam().make()) { Open(); }

  void TearDown() override { EXPECT_THAT(CheckInvariants(*engine_->get(), {}), IsOkAndHolds(testing::IsEmpty())); }

  // Opens the catalog again, like another process.
  void Reopen() {
    catalog_.reset();
    engine_->Reopen();
    Open();
  }
  // Puts the rules of a policy file's text in force.
  void UsePolicy(absl::string_view yaml) { policy_ = policy::Policy::Parse(yaml, "policy.yaml").value(); }

  // Commits a blob.
  Blob Pushed(const RepositoryName& repository, absl::string_view content) {
    const Blob blob = Upload(content);
    EXPECT_OK(catalog_->blobs().Commit(kAnonymous, repository, blob));
    return blob;
  }
  // The manifest of an image whose blobs are committed.
  std::string ImageIn(const RepositoryName& repository, absl::string_view name, absl::string_view more = "") {
    return ImageJson(Pushed(repository, absl::StrCat("config of ", name)),
                     {Pushed(repository, absl::StrCat("layer of ", name))}, more);
  }
  std::string PushedImage(const RepositoryName& repository, absl::string_view tag, absl::string_view more = "") {
    std::string image = ImageIn(repository, tag, more);
    EXPECT_OK(catalog_->manifests().Put(kAnonymous, repository, PutByTag(tag, image)));
    return image;
  }

  bool Exists(const std::string& key) { return engine_->get()->Get(key).value().has_value(); }
  size_t CountWithPrefix(const std::string& prefix) {
    return engine_->get()->Scan({.prefix = prefix, .start_after = "", .limit = 100'000}).value().size();
  }

  const RepositoryName a_ = Repo("a");
  const RepositoryName b_ = Repo("b");
  FakeClock clock_;
  std::shared_ptr<const policy::Policy> policy_;
  std::unique_ptr<kv::TestEngine> engine_;
  std::unique_ptr<RegistryCatalog> catalog_;

 private:
  void Open() {
    RegistryCatalog::Options options;
    options.policy = [this] { return policy_; };
    catalog_ = RegistryCatalog::Create(engine_->get(), &clock_, options).value();
  }
};

}  // namespace entrepot::manifest

#endif  // ENTREPOT_SERVICES_MANIFEST_TESTING_CATALOG_TEST_FIXTURE_H_
