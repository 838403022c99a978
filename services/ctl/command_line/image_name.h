#ifndef ENTREPOT_SERVICES_CTL_COMMAND_LINE_IMAGE_NAME_H_
#define ENTREPOT_SERVICES_CTL_COMMAND_LINE_IMAGE_NAME_H_

#include <string>

namespace entrepot::ctl {

struct ImageName {
  std::string repository;
  // A tag or a digest; may be empty.
  std::string reference;
};

// "docker.io/library/nginx", with ":TAG", "@DIGEST" or both, of which the digest counts. Checks nothing.
ImageName ParseImageName(const std::string& text);

}  // namespace entrepot::ctl

#endif  // ENTREPOT_SERVICES_CTL_COMMAND_LINE_IMAGE_NAME_H_
