"""Cinder volume driver of the lab: a volume is a sparse raw file."""
import os
import shutil

from oslo_config import cfg

from cinder.image import image_utils
from cinder import interface
from cinder.volume import configuration
from cinder.volume import driver

OPTS = [cfg.StrOpt('lab_volumes_dir', default='/var/lib/lab-openstack/volumes')]
cfg.CONF.register_opts(OPTS, group=configuration.SHARED_CONF_GROUP)
GIB = 1 << 30


@interface.volumedriver
class FileDriver(driver.VolumeDriver):
    VERSION = '1.0'

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.configuration.append_config_values(OPTS)

    def do_setup(self, context):
        self.dir = self.configuration.lab_volumes_dir
        os.makedirs(self.dir, exist_ok=True)

    def check_for_setup_error(self):
        pass

    def _path(self, obj):
        return os.path.join(self.dir, obj['name'])

    def _size(self, path, gib):
        with open(path, 'ab') as f:
            f.truncate(gib * GIB)

    def _copy(self, src, dst, gib):
        # sparse copy, through holes
        with open(src, 'rb') as s, open(dst, 'wb') as d:
            d.truncate(os.fstat(s.fileno()).st_size)
            pos = 0
            while True:
                try:
                    pos = os.lseek(s.fileno(), pos, os.SEEK_DATA)
                except OSError:
                    break
                end = os.lseek(s.fileno(), pos, os.SEEK_HOLE)
                s.seek(pos)
                d.seek(pos)
                while pos < end:
                    buf = s.read(min(1 << 20, end - pos))
                    d.write(buf)
                    pos += len(buf)
        self._size(dst, gib)

    def create_volume(self, volume):
        self._size(self._path(volume), volume['size'])

    def delete_volume(self, volume):
        if os.path.exists(self._path(volume)):
            os.unlink(self._path(volume))

    def extend_volume(self, volume, new_size):
        self._size(self._path(volume), new_size)

    def create_snapshot(self, snapshot):
        src = os.path.join(self.dir, snapshot['volume_name'])
        self._copy(src, self._path(snapshot), snapshot['volume_size'])

    delete_snapshot = delete_volume

    def create_volume_from_snapshot(self, volume, snapshot):
        self._copy(self._path(snapshot), self._path(volume), volume['size'])

    def create_cloned_volume(self, volume, src_vref):
        self._copy(self._path(src_vref), self._path(volume), volume['size'])

    def copy_image_to_volume(self, context, volume, image_service, image_id,
                             disable_sparse=False):
        image_utils.fetch_to_raw(context, image_service, image_id,
                                 self._path(volume), '1M',
                                 size=volume['size'])
        self._size(self._path(volume), volume['size'])

    def copy_volume_to_image(self, context, volume, image_service, image_meta):
        image_utils.upload_volume(context, image_service, image_meta,
                                  self._path(volume), volume)

    def initialize_connection(self, volume, connector, **kwargs):
        return {'driver_volume_type': 'gpfs',   # Nova's name for a local file
                'data': {'device_path': self._path(volume),
                         'name': volume['name'], 'format': 'raw'}}

    def terminate_connection(self, volume, connector, **kwargs):
        pass

    def ensure_export(self, context, volume):
        pass

    def create_export(self, context, volume, connector):
        pass

    def remove_export(self, context, volume):
        pass

    def _update_volume_stats(self):
        self._stats = {
            'volume_backend_name': self.configuration.volume_backend_name,
            'vendor_name': 'lab', 'driver_version': self.VERSION,
            'storage_protocol': 'file', 'total_capacity_gb': 100000,
            'free_capacity_gb': 99999, 'reserved_percentage': 0,
            'thin_provisioning_support': True,
            'thick_provisioning_support': False,
            'max_over_subscription_ratio': 20, 'provisioned_capacity_gb': 0,
            'multiattach': False, 'online_extend_support': True,
            'QoS_support': False}
