"""nova-compute that also looks for drivers beside this file: Nova takes them
from its own package alone."""
import os

from nova.cmd import compute  # first: it monkey-patches
import nova.virt


def main():
    nova.virt.__path__.append(os.path.dirname(__file__))
    return compute.main()
